// Fetches the published files that `published.json` of a folder names: node fetch.js FOLDER.
//
// The package is downloaded with npm, compared with its checksum, and only the named files are unpacked.
// They are under licences of their own and are never part of this repository.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const folder = path.resolve(process.argv[2]);
const { package: name, integrity, files } = JSON.parse(readFileSync(path.join(folder, 'published.json'), 'utf8'));
const target = path.join(folder, 'published');
rmSync(target, { recursive: true, force: true });
mkdirSync(target);

const [packed] = JSON.parse(execFileSync('npm', ['pack', name, '--json', '--loglevel=error'], { cwd: target, encoding: 'utf8' }));
const archive = path.join(target, packed.filename);
const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
if (found !== integrity) throw new Error(`${name} is not what it was: ${found}, expected ${integrity}`);
execFileSync('tar', ['-xzf', archive, '-C', target, ...files.map((file) => `package/${file}`)]);
rmSync(archive);
console.log(`${name}: ${files.length} files, checksum as expected`);
