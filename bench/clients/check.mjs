// What mail programs make of our mails, by the data of caniemail.com, as the Markdown of docs/clients.md.
//
//   make gallery
//   cd SCRATCH && npm install caniemail        (an empty folder outside the checkout)
//   node CHECKOUT/bench/clients/check.mjs CHECKOUT/var/gallery > CHECKOUT/docs/clients.md
//
// Run it in the folder with node_modules. Ends with 1 when a feature that a program lacks, or has in
// part, has no fallback in fallbacks.json beside this file.

import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const CLIENTS = ['gmail.*', 'outlook.*', 'apple-mail.*', 'yahoo.*', 'thunderbird.*'];
const FAMILIES = { gmail: 'Gmail', outlook: 'Outlook', 'apple-mail': 'Apple Mail', yahoo: 'Yahoo', thunderbird: 'Thunderbird' };
const PROGRAMS = {
  'desktop-webmail': 'web', 'mobile-webmail': 'mobile web', ios: 'iOS', android: 'Android', macos: 'macOS',
  windows: 'Windows (Word engine)', 'windows-mail': 'Windows Mail',
};

const require = createRequire(join(process.cwd(), 'here.js'));
const entry = require.resolve('caniemail');
const { caniemail } = await import(pathToFileURL(entry));
const home = entry.slice(0, entry.lastIndexOf('caniemail') + 'caniemail'.length);
const version = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).version;
const data = JSON.parse(readFileSync(join(home, 'data', 'caniemail.json'), 'utf8'));
const fallbacks = JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), 'fallbacks.json'), 'utf8'));

const folder = process.argv[2];
const seen = new Map();
for (const file of readdirSync(folder).filter(name => name.endsWith('.html') && name !== 'index.html').sort()) {
  const html = readFileSync(join(folder, file), 'utf8');
  const mail = file.replace(/-\d+-(light|dark)\.html$|\.html$/, '');
  if (!seen.has(html)) seen.set(html, mail);
}

const unknown = new Set();
const check = html => {
  for (;;) {
    try {
      return caniemail({ clients: CLIENTS, html }).issues;
    } catch (error) { // the data hold nothing of a property for some program: told, and left out
      const property = /^Feature "([\w-]+)" not found/.exec(error.message)?.[1];
      if (!property) throw error;
      unknown.add(property);
      html = html.replace(new RegExp(`([;"\\s{])${property}:[^;"}]*;?`, 'g'), '$1');
    }
  }
};

const found = new Map();
for (const [html, mail] of seen) {
  const issues = check(html);
  for (const [kind, byClient] of [['lacks', issues.errors], ['part', issues.warnings]])
    for (const [client, list] of byClient) for (const { title } of list) {
      const one = found.get(title) ?? { lacks: new Set(), part: new Set(), mails: new Set() };
      one[kind].add(client);
      one.mails.add(mail);
      found.set(title, one);
    }
}

const spoken = clients => {
  const families = new Map();
  for (const client of [...clients].sort()) {
    const [family, program] = client.split('.');
    families.set(family, [...(families.get(family) ?? []), PROGRAMS[program] ?? program]);
  }
  return [...families].map(([family, programs]) => `${FAMILIES[family]}: ${programs.join(', ')}`).join('; ');
};
const cell = text => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

const titles = [...found.keys()].sort((a, b) => a.replace(/\W/g, '').localeCompare(b.replace(/\W/g, '')));
const without = [...titles, ...unknown].filter(title => !(title in fallbacks));
const lacked = titles.filter(title => found.get(title).lacks.size);
const partial = titles.filter(title => !found.get(title).lacks.size);
const table = (names, kind, head) => [
  `| feature | ${head} | what they show instead |`,
  '| --- | --- | --- |',
  ...names.map(title => `| ${cell(title)} | ${spoken(found.get(title)[kind])} | ${cell(fallbacks[title] ?? 'NONE')} |`),
].join('\n');

console.log(`# What mail programs make of our mails

Made by \`bench/clients/check.mjs\`, which says how to repeat it; do not edit by hand. ${new Date().toISOString().slice(0, 10)}, node
${process.version}, npm caniemail ${version} with the data of caniemail.com of ${data.last_update_date.slice(0, 10)}, over the ${seen.size} different mails of
\`make gallery\` (${[...new Set(seen.values())].join(', ')}).

Asked were ${CLIENTS.join(', ')}. Each feature that one of them lacks, or has in part, is listed with what a reader
sees there instead: ${lacked.length} that a program lacks, ${partial.length} that it has in part, ${without.length} without a fallback.
The data count rules for one program (\`[data-ogsc]\`, \`prefers-color-scheme\`) as lacking in all others, which ignore
them: that is what they are for. What stands between \`<!--[if mso]>\` and \`<![endif]-->\` only the Word engine reads.

## Lacking somewhere

${table(lacked, 'lacks', 'lacking in')}

## In part

${table(partial, 'part', 'in part in')}
${[...unknown].map(name => `\nNot in the data of every program: \`${name}\`. ${fallbacks[name] ?? 'NONE'}`).join('\n')}`);
for (const title of without) console.error(`no fallback: ${title} (${[...(found.get(title)?.mails ?? [])].join(', ')})`);
process.exitCode = without.length ? 1 : 0;
