// Reads every *.eml of a folder with npm's mailparser; one JSON line a mail, in order of names.
//     NODE_PATH=.../node_modules node bench/campaigns/read_mails.mjs FOLDER
import { createReadStream, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { MailParser } = createRequire(join(process.env.NODE_PATH ?? ".", "x.js"))("mailparser");
const folder = process.argv[2];

function read(path) {
  return new Promise((resolve, reject) => {
    const parser = new MailParser({
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipTextLinks: true,
      skipImageLinks: true,
      maxHtmlLengthToParse: 100_000_000,
    });
    const found = { text: "", html: "", attachments: 0 };
    parser.on("error", reject);
    parser.on("data", (part) => {
      if (part.type === "text") {
        found.text = part.text ?? "";
        found.html = part.html || "";
      } else {
        found.attachments += 1;
        part.content.resume();
        part.content.on("end", () => part.release());
      }
    });
    parser.on("end", () => {
      const headers = parser.headers;
      const people = (name) => (headers.get(name)?.value ?? []).map((one) => [one.name, one.address]);
      const date = headers.get("date");
      resolve({
        names: parser.headerLines.map((line) => line.key),
        subject: headers.get("subject") ?? "",
        from: people("from"),
        to: people("to"),
        reply_to: people("reply-to"),
        date: date ? Math.round(date.getTime() / 1000) : 0,
        message_id: headers.get("message-id") ?? "",
        unsubscribe: parser.headerLines.find((line) => line.key === "list-unsubscribe")?.line ?? "",
        parts: kinds(parser.tree),
        ...found,
      });
    });
    createReadStream(path).pipe(parser);
  });
}

function kinds(node) {
  if (!node) return [];
  const own = node.headers?.get("content-type")?.value ?? node.contentType ?? "";
  return [own, ...(node.children ?? []).flatMap(kinds)];
}

for (const name of readdirSync(folder).filter((one) => one.endsWith(".eml")).sort()) {
  process.stdout.write(JSON.stringify({ name, ...(await read(join(folder, name))) }) + "\n");
}
