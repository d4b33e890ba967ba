// Where the server is, and the few things that every test needs.

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

/** The variable, or an error that names it: a test without a server must not pass. */
export function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests are run by \`cargo xtask clients\``);
  return value;
}

/** A session id that no other run has. */
export const session = (name) => `${name}-${randomUUID()}`;

/** Host and port of an address, as clients with two fields want them. */
export function hostAndPort(address) {
  const { hostname, port } = new URL(address);
  return { host: hostname, port: Number(port) };
}

/** Waits until it is true. For what no client can be told of, such as the end of a session. */
export async function until(what, isTrue, limit = 15_000) {
  const end = Date.now() + limit;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${limit} ms`);
    await pause(25);
  }
}
