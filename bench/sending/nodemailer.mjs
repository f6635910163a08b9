// nodemailer's pool into a sink: one message many times over kept connections.
// node nodemailer.mjs PORT FILE COUNT SESSIONS (nodemailer in NODE_PATH)
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
const nodemailer = require("nodemailer");
const [port, file, count, sessions] = process.argv.slice(2);
const raw = readFileSync(file);
const pool = nodemailer.createTransport({
  pool: true, host: "127.0.0.1", port: Number(port), maxConnections: Number(sessions),
  maxMessages: Infinity, ignoreTLS: true,
});
let sent = 0, taken = 0;
const begun = performance.now();
async function carry() {
  while (sent < Number(count)) {
    sent += 1;
    const info = await pool.sendMail({
      envelope: { from: "papers@example.org", to: [`reader${sent}@example.org`] }, raw,
    });
    if (info.response.startsWith("250")) taken += 1;
  }
}
await Promise.all(Array.from({ length: 2 * Number(sessions) }, carry));
const wall = (performance.now() - begun) / 1000;
const { user, system } = process.cpuUsage();
pool.close();
console.log("measured: " + JSON.stringify({ taken, wall, used: (user + system) / 1e6 }));
