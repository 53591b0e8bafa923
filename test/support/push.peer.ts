import {
  createDecipheriv,
  createECDH,
  createPublicKey,
  hkdfSync,
  randomBytes,
  randomUUID,
  verify,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { selfSigned } from './certificate.js';
import { atEnd } from './cleanup.js';
import { freePort } from './ports.js';

/** What a browser gives a page of its subscription. */
export interface DeviceSubscription {
  endpoint: string;
  expirationTime: null;
  keys: { p256dh: string; auth: string };
}

/** A push that was good, as the device got it. */
export interface ReceivedPush {
  /** When its last byte was read, in milliseconds since the epoch. */
  at: number;
  /** Its endpoint. */
  endpoint: string;
  ttl: number;
  urgency: string;
  topic: string | undefined;
  /** What the service worker reads. */
  payload: unknown;
  /** As whom it was sent. */
  claims: { aud: string; exp: number; sub: string };
}

/** What the service does with a good push: answers, or says nothing, or cuts the connection. At first 201. */
export type PushAnswer =
  { status: number; headers?: OutgoingHttpHeaders; body?: string } | 'silence' | 'reset';

export interface PushPeer {
  /** Origin of its endpoints. */
  readonly url: string;
  /** What its certificate is from, PEM. */
  readonly ca: string;
  /** The file with it: processes of tests trust it by `NODE_EXTRA_CA_CERTS`. */
  readonly caFile: string;
  /** Good pushes in order of arrival, whatever was answered. */
  readonly pushes: ReceivedPush[];
  /** As a browser does, for pages of whoever has this key (base64url). */
  subscribe(applicationServerKey: string): DeviceSubscription;
  /** The browser is gone: from now on the endpoint is not known. */
  unsubscribe(endpoint: string): void;
  /** Answers the next pushes to an endpoint with these, one each. */
  answerNext(endpoint: string, ...answers: PushAnswer[]): void;
}

interface Device {
  readonly applicationServerKey: string;
  /** Private key, P-256. */
  readonly key: Buffer;
  readonly auth: Buffer;
  readonly next: PushAnswer[];
}

/** What is wrong with a push, and how a service answers it. */
class BadPush extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The environment of somebody who pushes, with new keys. */
export function newVapid(): Record<`VAPID_${'PUBLIC_KEY' | 'PRIVATE_KEY' | 'SUBJECT'}`, string> {
  const keys = createECDH('prime256v1');
  keys.generateKeys();
  // A private key may begin with zeros, which ECDH leaves out.
  const privateKey = Buffer.from(keys.getPrivateKey('hex').padStart(64, '0'), 'hex');
  return {
    VAPID_PUBLIC_KEY: keys.getPublicKey('base64url'),
    VAPID_PRIVATE_KEY: privateKey.toString('base64url'),
    VAPID_SUBJECT: 'mailto:ops@example.org',
  };
}

const DAY = 86_400;
const LARGEST = 4_096;

/**
 * A push service with the devices behind it: HTTPS on a free loopback port. It holds senders to RFC 8030 (headers), RFC 8292
 * (who sends, to whom, until when, signed with the key that the browser subscribed with) and RFC 8188 and 8291 (encryption), on
 * node:crypto alone.
 */
export async function startPushPeer(): Promise<PushPeer> {
  const { certificate, key } = selfSigned('IP:127.0.0.1');
  const ca = readFileSync(certificate, 'utf8');
  const url = `https://127.0.0.1:${await freePort()}`;
  const devices = new Map<string, Device>();
  const pushes: ReceivedPush[] = [];

  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const endpoint = `${url}${request.url ?? ''}`;
    const device = devices.get(endpoint);
    try {
      if (!device) throw new BadPush(404, 'no such subscription');
      pushes.push({ at: Date.now(), endpoint, ...read(request, body, device, url) });
    } catch (error) {
      const status = error instanceof BadPush ? error.status : 400;
      return void response.writeHead(status).end((error as Error).message);
    }
    const answer = device.next.shift() ?? { status: 201, headers: { location: `${url}/m/1` } };
    if (answer === 'silence') return;
    if (answer === 'reset') return void response.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };

  const server = createServer({ key: readFileSync(key), cert: ca }, (request, response) => {
    receive(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(new URL(url).port), '127.0.0.1', resolve);
  });
  atEnd(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  });

  return {
    url,
    ca,
    caFile: certificate,
    pushes,
    subscribe(applicationServerKey) {
      const endpoint = `${url}/push/${randomUUID()}`;
      const pair = createECDH('prime256v1');
      pair.generateKeys();
      const auth = randomBytes(16);
      devices.set(endpoint, { applicationServerKey, key: pair.getPrivateKey(), auth, next: [] });
      const keys = { p256dh: pair.getPublicKey('base64url'), auth: auth.toString('base64url') };
      return { endpoint, expirationTime: null, keys };
    },
    unsubscribe: (endpoint) => void devices.delete(endpoint),
    answerNext(endpoint, ...answers) {
      devices.get(endpoint)?.next.push(...answers);
    },
  };
}

function read(
  { method, headers }: IncomingMessage,
  body: Buffer,
  device: Device,
  origin: string,
): Omit<ReceivedPush, 'endpoint' | 'at'> {
  if (method !== 'POST') throw new BadPush(405, 'only POST');
  if (body.length > LARGEST) throw new BadPush(413, 'more than 4,096 bytes');
  const claims = claimsOf(headers.authorization ?? '', device.applicationServerKey);
  if (claims.aud !== origin) throw new BadPush(403, 'the token is for another audience');
  const left = claims.exp - Date.now() / 1_000;
  if (!(left > 0 && left <= DAY)) throw new BadPush(403, 'the token must end within a day');
  if (!/^(mailto:|https:)/.test(claims.sub)) throw new BadPush(403, 'the token names nobody');
  const ttl = String(headers.ttl ?? '');
  if (!/^\d+$/.test(ttl)) throw new BadPush(400, 'TTL must be seconds');
  const urgency = String(headers.urgency ?? 'normal');
  if (!/^(very-low|low|normal|high)$/.test(urgency)) throw new BadPush(400, 'no such urgency');
  const topic = headers.topic as string | undefined;
  if (topic !== undefined && !/^[\w-]{1,32}$/.test(topic)) throw new BadPush(400, 'no such topic');
  if (headers['content-encoding'] !== 'aes128gcm') throw new BadPush(415, 'must be aes128gcm');
  const payload: unknown = JSON.parse(decrypt(body, device.key, device.auth).toString());
  return { ttl: Number(ttl), urgency, topic, payload, claims };
}

/** Of `vapid t=<JWT>, k=<public key>`, when the JWT is signed with that key and the key is the one that was subscribed with. */
function claimsOf(authorization: string, expected: string): ReceivedPush['claims'] {
  const [, token = '', key = ''] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(authorization) ?? [];
  if (key !== expected) throw new BadPush(403, 'subscribed with another key');
  const [header = '', claims = '', signature = ''] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) =>
    half.toString('base64url'),
  );
  const jwk = { kty: 'EC', crv: 'P-256', x, y };
  const isRight =
    (JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: string }).alg === 'ES256' &&
    verify(
      'sha256',
      Buffer.from(`${header}.${claims}`),
      { key: createPublicKey({ format: 'jwk', key: jwk }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
  if (!isRight) throw new BadPush(403, 'the token is not signed with its key');
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as ReceivedPush['claims'];
}

/**
 * What a device makes of the body of a push: one record of aes128gcm (RFC 8188) with keys after RFC 8291.
 *
 * @param key private key of the device, P-256
 * @param auth its secret, 16 bytes
 */
export function decrypt(body: Buffer, key: Buffer, auth: Buffer): Buffer {
  const [salt, sender, record] = [body.subarray(0, 16), body.subarray(21, 86), body.subarray(86)];
  if (body[20] !== 65 || record.length > body.readUInt32BE(16)) {
    throw new BadPush(400, 'must be one record with a key of 65 bytes');
  }
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(key);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), pair.getPublicKey(), sender]);
  const shared = pair.computeSecret(sender);
  const secret = Buffer.from(hkdfSync('sha256', shared, auth, info, 32));
  const derived = (name: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, salt, `Content-Encoding: ${name}\0`, bytes));
  const cipher = createDecipheriv('aes-128-gcm', derived('aes128gcm', 16), derived('nonce', 12));
  cipher.setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([cipher.update(record.subarray(0, -16)), cipher.final()]);
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== 2) throw new BadPush(400, 'the last record ends with 2');
  return padded.subarray(0, end);
}
