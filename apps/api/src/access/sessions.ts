import { parseCookie, stringifySetCookie } from 'cookie';
import { createHash, randomBytes } from 'node:crypto';
import type { Principal } from './principal.js';

/** How long somebody stays logged in, seconds: a working day. */
const LONGEST = 12 * 3_600;
const COOKIE = 'callsheet';

/** For whom a session stands: the key of the environment, by its digest; an API key, by its id; whoever a token named. */
export type SessionHolder =
  | { via: 'environment'; digest: string }
  | { via: 'api-key'; id: string }
  | { via: 'token'; principal: Principal };

/**
 * Sessions of people in browsers: a cookie that says for whom, signed, so that every process of one secret takes it and nothing is
 * stored. One that stands for an API key ends with that key.
 */
export class Sessions {
  private readonly secret: Uint8Array;

  /** @param secret of all processes of one installation. Default: a random one, so that sessions end with the process */
  constructor(secret: string = randomBytes(32).toString('hex')) {
    this.secret = createHash('sha256').update(`callsheet session\0${secret}`).digest();
  }

  /**
   * The header `Set-Cookie` that begins a session.
   *
   * @param until it ends then at the latest, epoch seconds
   * @param secure whether browsers send it over TLS only
   */
  async begin(holder: SessionHolder, secure: boolean, until = Infinity): Promise<string> {
    // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
    const { SignJWT } = await import('jose');
    const now = Math.floor(Date.now() / 1_000);
    const end = Math.min(now + LONGEST, until);
    const value = await new SignJWT({ holder })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(end)
      .sign(this.secret);
    return cookie(value, end - now, secure);
  }

  /** The header `Set-Cookie` that ends a session. */
  end(secure: boolean): string {
    return cookie('', 0, secure);
  }

  /** For whom the session of a request stands; undefined when there is none that holds. */
  async holder(header: string | undefined): Promise<SessionHolder | undefined> {
    const value = parseCookie(header ?? '')[COOKIE];
    if (!value) return undefined;
    // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
    const { jwtVerify } = await import('jose');
    try {
      const { payload } = await jwtVerify(value, this.secret, {
        algorithms: ['HS256'],
        requiredClaims: ['exp'],
      });
      return payload.holder as SessionHolder;
    } catch {
      return undefined;
    }
  }
}

function cookie(value: string, maxAge: number, secure: boolean): string {
  return stringifySetCookie({
    ...{ name: COOKIE, value, maxAge, secure },
    ...{ path: '/', httpOnly: true, sameSite: 'strict' },
  });
}
