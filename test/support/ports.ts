import { createServer } from 'node:net';

// Below the range from which Linux and macOS choose the ports of outgoing connections. From inside that range a client
// that reconnects to a stopped server can be given the server's own port, connect to itself, and keep it occupied.
const FIRST = 10_000;
const LAST = 29_999;

/** A loopback port on which nothing listens, and which no outgoing connection takes while its server is down. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port found between ${FIRST} and ${LAST}`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
