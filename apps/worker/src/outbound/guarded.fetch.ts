import { lookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { RejectError } from '@callsheet/messaging';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Agent, buildConnector, fetch, type RequestInit, type Response } from 'undici';
import type { AllowedAddresses } from './allowed.addresses.js';

/** Finds all addresses of a name: `dns.lookup`, or what a test puts in its place. */
export type Resolve = (
  name: string,
  options: { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** The URL of a message leads to an address that it may not reach. */
export class AddressRefusedError extends RejectError {
  override readonly code = 'address_refused';

  constructor(
    readonly host: string,
    readonly addresses: readonly string[],
  ) {
    const where = addresses.includes(host) ? host : `${host} (${addresses.join(', ')})`;
    super(
      `refused to connect to ${where}: it is not a public address; if it is meant, allow it in WEBHOOK_ALLOW`,
    );
  }
}

/**
 * `fetch` for URLs that come with messages: http and https only, to allowed addresses only, redirects not followed.
 *
 * A name is resolved once for a connection, and the addresses that passed are the ones connected to: between check and use no
 * second answer of a name server can come.
 */
export class GuardedFetch implements OnApplicationShutdown {
  private readonly agent: Agent;

  /** @param ca certificates, as PEM, that servers may have theirs from. Default: those that Node trusts */
  constructor(allowed: AllowedAddresses, resolve: Resolve = lookup, ca?: string) {
    const connect = buildConnector({
      lookup: guardedLookup(allowed, resolve),
      ...(ca !== undefined && { ca }),
    });
    this.agent = new Agent({
      connect(options, callback) {
        const host = options.hostname.replace(/^\[(.*)\]$/, '$1');
        // No lookup is made for what is an address already.
        if (isIP(host) && !allowed.allows(host, host)) {
          return callback(new AddressRefusedError(host, [host]), null);
        }
        connect(options, callback);
      },
    });
  }

  /**
   * @throws AddressRefusedError before anything is sent, when the URL leads where it may not
   * @throws whatever else `fetch` throws
   */
  async fetch(url: string, init: RequestInit): Promise<Response> {
    const { protocol } = new URL(url);
    if (!/^https?:$/.test(protocol)) throw new RejectError(`${protocol} is neither http nor https`);
    try {
      return await fetch(url, { ...init, redirect: 'manual', dispatcher: this.agent });
    } catch (error) {
      const { cause } = error as Error;
      throw cause instanceof AddressRefusedError ? cause : error;
    }
  }

  /** By now no turn runs. */
  async onApplicationShutdown(): Promise<void> {
    await this.agent.destroy();
  }
}

/** Finds the addresses of a name that are allowed. Of a name that has others too, only these are connected to. */
function guardedLookup(allowed: AllowedAddresses, resolve: Resolve): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const addresses = found.filter(({ address }) => allowed.allows(host, address));
      const [first] = addresses;
      if (!first) {
        const refused = found.map(({ address }) => address);
        return callback(new AddressRefusedError(host, refused), []);
      }
      if (options.all) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}
