// The Redis port over TLS.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

import { tie } from './proxy.js';
import { hostAndPort, need } from './server.js';

/**
 * A `rediss://` address. It is the server's own where it has one (`HITHERTO_REDISS`); otherwise TLS ends in front of
 * the port, as with any proxy that people put before a server. `after` closes that end.
 */
export async function secured(after) {
  if (process.env.HITHERTO_REDISS) return process.env.HITHERTO_REDISS;
  const upstream = hostAndPort(need('HITHERTO_REDIS'));
  const links = new Set();
  const pair = { cert: readFileSync(need('HITHERTO_TLS_CERT')), key: readFileSync(need('HITHERTO_TLS_KEY')) };
  const end = tls.createServer(pair, (client) => {
    const up = net.connect(upstream);
    client.pipe(up).pipe(client);
    tie(client, up, links);
  });
  end.listen(0, '127.0.0.1');
  await once(end, 'listening');
  after(() => {
    end.close();
    for (const link of links) link.destroy();
  });
  return `rediss://127.0.0.1:${end.address().port}`;
}
