# Prints C sources as "file:line:code" without comments and with the insides of strings and character
# constants taken out, so that a grep finds calls and nothing but calls.
FNR == 1 { inside = "" }
{
    code = ""
    rest = $0
    while (rest != "") {
        one = substr(rest, 1, 1)
        two = substr(rest, 1, 2)
        if (inside == "comment") {
            if (two == "*/") { inside = ""; code = code " "; rest = substr(rest, 3) }
            else rest = substr(rest, 2)
        } else if (inside != "") { # a quote: wait for its twin
            if (one == "\\") { rest = substr(rest, 3) }
            else { if (one == inside) { inside = ""; code = code one } rest = substr(rest, 2) }
        } else if (two == "/*") { inside = "comment"; rest = substr(rest, 3) }
        else if (two == "//") rest = ""
        else {
            if (one == "\"" || one == "'") inside = one
            code = code one
            rest = substr(rest, 2)
        }
    }
    if (inside != "comment") inside = "" # a string does not go on in the next line
    print FILENAME ":" FNR ":" code
}
