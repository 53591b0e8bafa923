import { parseCookie, stringifySetCookie } from 'cookie';
import { createHash } from 'node:crypto';

/** What of a cookie does not change. */
export interface SignedCookieOptions {
  name: string;
  /** What it is signed with, of all processes of one installation. */
  secret: string;
  /** Whether browsers come over https: then they take it from this very host only, and never over plain HTTP. */
  isHttps: boolean;
  /** `strict`: only pages of this site send it; `lax`: also somebody who comes here from another one. */
  sameSite: 'strict' | 'lax';
  /** Seconds after which it ends. */
  longest: number;
}

/** A cookie that nobody else can have written, and that scripts cannot read. Nothing of it is stored. */
export class SignedCookie<Value extends object> {
  private readonly name: string;
  private readonly key: Uint8Array;

  constructor(private readonly options: SignedCookieOptions) {
    const { name, secret, isHttps } = options;
    this.name = isHttps ? `__Host-${name}` : name;
    // One that was signed for something else must not be taken for this one.
    this.key = createHash('sha256').update(`${name}\0${secret}`).digest();
  }

  /**
   * The header `Set-Cookie` that sets it.
   *
   * @param secure whether browsers send it over TLS only
   * @param until it ends then at the latest, epoch seconds
   */
  async set(value: Value, secure: boolean, until = Infinity): Promise<string> {
    // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
    const { SignJWT } = await import('jose');
    const now = Math.floor(Date.now() / 1_000);
    const end = Math.min(now + this.options.longest, until);
    const signed = await new SignJWT({ value })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(end)
      .sign(this.key);
    return this.header(signed, end - now, secure);
  }

  /** The header `Set-Cookie` that removes it. */
  clear(secure: boolean): string {
    return this.header('', 0, secure);
  }

  /** What it says in a header `Cookie`; undefined when there is none that holds. */
  async read(header: string | undefined): Promise<Value | undefined> {
    const signed = parseCookie(header ?? '')[this.name];
    if (!signed) return undefined;
    // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
    const { jwtVerify } = await import('jose');
    try {
      const { payload } = await jwtVerify(signed, this.key, {
        algorithms: ['HS256'],
        requiredClaims: ['exp'],
      });
      return payload.value as Value;
    } catch {
      return undefined;
    }
  }

  private header(value: string, maxAge: number, secure: boolean): string {
    const { isHttps, sameSite } = this.options;
    return stringifySetCookie({
      ...{ name: this.name, value, maxAge, secure: secure || isHttps },
      ...{ path: '/', httpOnly: true, sameSite },
    });
  }
}
