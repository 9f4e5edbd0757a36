// node validate.js asyncapi.json: prints one line per problem, exits 1 if there is an error.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const SEVERITIES = ["error", "warning", "information", "hint"];
const parser = new Parser();

// The parser leaves payloads of other formats alone. That each is Avro is checked in Python, by fastavro.
parser.registerSchemaParser({
  getMimeTypes: () => ["application/vnd.apache.avro;version=1.9.0"],
  validate: async () => [],
  parse: async (input) => input.data,
});

const { document, diagnostics } = await parser.parse(readFileSync(process.argv[2], "utf8"));
for (const { severity, path, message } of diagnostics) {
  console.log(`${SEVERITIES[severity]} ${path.join("/")}: ${message}`);
}
if (document === undefined) process.exit(1);
console.log(`${document.channels().length} channels, ${document.messages().length} messages`);
