// GitHub's own evaluator behind a pipe: one JSON array of {expr, contexts} a line, one array back.
// Numbers travel as {"n": text}, so that NaN, Infinity and -0 survive.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const dist = process.argv[2];
const load = (name) => import(pathToFileURL(join(dist, name)).href);
const { Lexer } = await load("lexer.js");
const { Parser } = await load("parser.js");
const { Evaluator } = await load("evaluator.js");
const data = await load("data/index.js");
const { reviver } = await load("data/reviver.js");
const { kindStr } = await load("data/expressiondata.js");

function plain(value) {
  switch (kindStr(value.kind)) {
    case "Null": return null;
    case "Number": return { n: Object.is(value.value, -0) ? "-0" : String(value.value) };
    case "Array": return value.values().map(plain);
    case "Object": return { o: value.pairs().map((p) => [p.key, plain(p.value)]) };
    default: return value.value;
  }
}

function failure(kind, error) {
  const answer = { class: kind, message: error.message };
  if (error.pos) Object.assign(answer, { line: error.pos.line, column: error.pos.column });
  return { error: answer };
}

function answer({ expr, contexts }) {
  const known = JSON.parse(JSON.stringify(contexts ?? {}), reviver);
  let tokens, tree;
  try { tokens = new Lexer(expr).lex().tokens; } catch (e) { return failure("lexing", e); }
  try {
    tree = new Parser(tokens, known.pairs().map((p) => p.key), []).parse();
  } catch (e) { return failure("parsing", e); }
  try {
    const value = tree === undefined ? new data.Null() : new Evaluator(tree, known).evaluate();
    return { kind: kindStr(value.kind), value: plain(value) };
  } catch (e) { return failure("evaluation", e); }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(JSON.parse(line).map(answer)) + "\n");
});
