import { randomBytes } from 'node:crypto';
import type { Principal } from './principal.js';
import { SignedCookie } from './signed.cookie.js';

/** How long somebody stays logged in, seconds: a working day. */
const LONGEST = 12 * 3_600;

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
  private readonly cookie: SignedCookie<SessionHolder>;

  /**
   * @param secret of all processes of one installation. Default: a random one, so that sessions end with the process
   * @param isHttps whether browsers come over https
   */
  constructor(secret: string = randomBytes(32).toString('hex'), isHttps = false) {
    this.cookie = new SignedCookie({
      ...{ name: 'callsheet', secret, isHttps },
      ...{ sameSite: 'strict', longest: LONGEST },
    });
  }

  /**
   * The header `Set-Cookie` that begins a session.
   *
   * @param until it ends then at the latest, epoch seconds
   * @param secure whether browsers send it over TLS only
   */
  begin(holder: SessionHolder, secure: boolean, until?: number): Promise<string> {
    return this.cookie.set(holder, secure, until);
  }

  /** The header `Set-Cookie` that ends a session. */
  end(secure: boolean): string {
    return this.cookie.clear(secure);
  }

  /** For whom the session of a request stands; undefined when there is none that holds. */
  holder(header: string | undefined): Promise<SessionHolder | undefined> {
    return this.cookie.read(header);
  }
}
