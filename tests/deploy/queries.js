/*
 * Holds the queries of the alert rules to Kusto's own parser and to the columns they may know.
 *   queries.js TOOLS QUERIES    QUERIES is JSON: rule, query
 */
const fs = require("fs");
const path = require("path");

const [tools, file] = process.argv.slice(2);
const home = path.join(path.resolve(tools), "node_modules/@kusto/language-service-next");
require(path.join(home, "bridge.min.js"));
require(path.join(home, "Kusto.Language.Bridge.min.js"));
const { KustoCode, GlobalState, Symbols } = Kusto.Language;

// Of Azure Monitor's tables, the columns that we use and some beside them.
const TABLES = {
    AppTraces: "(TimeGenerated: datetime, Message: string, SeverityLevel: int, AppRoleInstance: string, AppRoleName: string)",
    AppExceptions:
        "(TimeGenerated: datetime, ExceptionType: string, ProblemId: string, OuterMessage: string, SeverityLevel: int, " +
        "OperationName: string, AppRoleName: string, AppRoleInstance: string, AppVersion: string)",
};

const tables = Object.entries(TABLES).map(([name, columns]) => Symbols.TableSymbol.From(columns).WithName(name));
const database = new Symbols.DatabaseSymbol.$ctor1("workspace", tables);
const globals = GlobalState.Default.WithDatabase(database);

function complaints(query) {
    return Bridge.toArray(KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics()).map((found) => found.Message);
}

const queries = JSON.parse(fs.readFileSync(file));
let wrong = 0;
for (const [rule, query] of Object.entries(queries)) {
    for (const message of complaints(query)) {
        console.log(`${rule}: ${message}\n  ${query}`);
        wrong++;
    }
}
if (wrong > 0) process.exit(1);

let breaks = 0;
for (const query of Object.values(queries)) {
    for (const broken of [query.replace("Message", "Mesage").replace("SeverityLevel", "Severity"), query.replace("| where", "| were"), query + " | where"]) {
        if (broken === query || complaints(broken).length === 0) {
            console.log(`queries.js: self-test: not noticed: ${broken}`);
            process.exit(1);
        }
        breaks++;
    }
}
console.log(`queries: fine (${Object.keys(queries).length} rules, ${breaks} breaks noticed)`);
