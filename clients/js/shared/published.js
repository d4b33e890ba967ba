// Runs single files of a published package without the rest of it.
//
// The nodes under test belong to servers with thousands of dependencies, none of which they use themselves.
// So the node's own file is loaded as it was published, what it stores with (LangChain, the Redis client) is the
// real thing in the node's own version, and only the server around it is stood in for.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/**
 * Loads a CommonJS file of the package that was unpacked beside `from` (an `import.meta.url`).
 *
 * `standIns` are taken by the name by which the file asks for them. Relative files that are not stood in for have
 * to be among the published ones; everything else is resolved as for the test.
 */
export function published(from, file, standIns) {
  const root = new URL('./published/package/', from).pathname;
  const packages = createRequire(from);
  const loaded = new Map();
  const load = (full) => {
    if (loaded.has(full)) return loaded.get(full).exports;
    const module = { exports: {} };
    loaded.set(full, module);
    const require = (name) => {
      if (name in standIns) return standIns[name];
      if (!name.startsWith('.')) return packages(name);
      return load(path.resolve(path.dirname(full), name.endsWith('.js') ? name : `${name}.js`));
    };
    new Function('require', 'module', 'exports', readFileSync(full, 'utf8'))(require, module, module.exports);
    return module.exports;
  };
  return load(path.join(root, file));
}

/** A module of which nothing is used: whatever is asked of it is an empty function, and a class to extend. */
export const inert = () =>
  new Proxy({}, {
    get: (_, name) => (name === '__esModule' ? true : class Inert {}),
  });
