// A link that breaks at the worst moment: the server has done what it was asked, and the client never hears of it.

import net from 'node:net';
import { once } from 'node:events';

/** Two sockets that end together. They are in `links` as long as they are open. */
export function tie(client, up, links) {
  for (const [one, other] of [[client, up], [up, client]]) {
    links.add(one);
    // An error is always followed by `close`, which is all that the other side can be told.
    one.on('error', () => {});
    one.on('close', () => {
      links.delete(one);
      other.destroy();
    });
  }
}

/**
 * Listens in front of `upstream` ({ host, port }). The first reply to a request that contains `marker` is not
 * passed on: both links are reset in its place. Everything else, and everything after it, is passed on.
 */
export async function cutOnce(upstream, marker) {
  const links = new Set();
  let cuts = 0;
  const server = net.createServer((client) => {
    const up = net.connect(upstream);
    let marked = false;
    // A marker may come in two pieces, so the end of the last piece is kept.
    let tail = Buffer.alloc(0);
    client.on('data', (bytes) => {
      const seen = Buffer.concat([tail, bytes]);
      marked ||= seen.includes(marker);
      tail = seen.subarray(-Buffer.byteLength(marker));
      up.write(bytes);
    });
    up.on('data', (bytes) => {
      if (marked && cuts === 0) {
        cuts += 1;
        client.resetAndDestroy();
        up.resetAndDestroy();
      } else {
        client.write(bytes);
      }
    });
    tie(client, up, links);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: '127.0.0.1',
    port: server.address().port,
    cuts: () => cuts,
    close() {
      server.close();
      for (const link of links) link.destroy();
    },
  };
}
