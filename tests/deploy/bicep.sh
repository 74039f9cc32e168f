#!/bin/sh
# Prints the path of the Bicep compiler: $BICEP, or the pinned one from NuGet (fetched once, kept in the
# user's cache), or else what is on the PATH.  Says what to install where there is none of them.
set -eu

VERSION=0.49.2
PACKAGE=azure.bicep.commandline.linux-x64

if [ -n "${BICEP-}" ]; then
    echo "$BICEP"
    exit 0
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/azure-devin-triage/bicep-$VERSION
if [ ! -x "$cache/bicep" ] && command -v dotnet >/dev/null 2>&1; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cat >"$work/get.csproj" <<END
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
  </PropertyGroup>
  <ItemGroup><PackageDownload Include="$PACKAGE" Version="[$VERSION]" /></ItemGroup>
</Project>
END
    if (cd "$work" && DOTNET_CLI_TELEMETRY_OPTOUT=1 dotnet restore --packages "$work/packages" get.csproj >"$work/log" 2>&1); then
        mkdir -p "$cache"
        chmod 755 "$work/packages/$PACKAGE/$VERSION/tools/bicep"
        # Into place in one step: two of us may be at it.
        mv "$work/packages/$PACKAGE/$VERSION/tools/bicep" "$cache/bicep.$$"
        mv "$cache/bicep.$$" "$cache/bicep"
    else
        cat "$work/log" >&2
        echo "bicep.sh: \`dotnet restore\` could not fetch $PACKAGE $VERSION (see above)" >&2
    fi
fi

if [ -x "$cache/bicep" ]; then
    echo "$cache/bicep"
elif command -v bicep; then
    :
else
    cat >&2 <<END
bicep.sh: there is no Bicep compiler here, so deploy/ cannot be checked.  One of these helps:
  - install the .NET SDK (https://dot.net; any version from 6 on): the compiler then comes from NuGet by itself
  - install Bicep (https://aka.ms/bicep-install, or \`az bicep install\` and put ~/.azure/bin on the PATH)
  - BICEP=/path/to/bicep make deploy-check
END
    exit 1
fi
