import { isIP } from 'node:net';
import { OptionError } from '@callsheet/messaging';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [Address, number];

const HOST_NAME = /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/;
/** All that is routed on the internet. What lies outside, `::7f00:1` say, is older than IPv6 as it is, or not given out yet. */
const GLOBAL_IPV6: Network = ipaddr.IPv6.parseCIDR('2000::/3');
/** NAT64 (RFC 6052): the last four bytes are an IPv4 address. */
const NAT64: Network = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * Which addresses messages may make this process connect to: those of the public internet, and what an operator allows
 * beside them. Whoever may send a message must not reach what only this machine or its network can.
 */
export class AllowedAddresses {
  private readonly names = new Set<string>();
  private readonly networks: Network[] = [];

  /**
   * @param text networks (`10.0.0.0/8`, `fd00::/8`), addresses, and host names, with commas between. A name allows every
   *   address that it resolves to
   * @param option names the setting in the error
   * @throws OptionError for what is none of these
   */
  constructor(text = '', option = 'WEBHOOK_ALLOW') {
    for (const entry of text.split(',').map((part) => part.trim().toLowerCase())) {
      if (entry === '') continue;
      const network = networkOf(entry);
      if (network) this.networks.push(network);
      else if (HOST_NAME.test(entry) && /[a-z]/.test(entry)) this.names.add(entry);
      else {
        throw new OptionError(
          option,
          `must be networks such as 10.0.0.0/8, addresses and host names, with commas between; '${entry.slice(0, 100)}' is none`,
        );
      }
    }
  }

  /**
   * Whether a connection may be made.
   *
   * @param host as the URL has it: a name, or the address itself
   * @param address what would be connected to, IPv4 or IPv6 without brackets
   */
  allows(host: string, address: string): boolean {
    if (this.names.has(host.toLowerCase().replace(/\.$/, ''))) return true;
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return isPublic(parsed) || this.networks.some((network) => isWithin(parsed, network));
  }
}

function networkOf(entry: string): Network | undefined {
  const [address = '', bits, ...rest] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return undefined;
  const most = family === 4 ? 32 : 128;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)) return undefined;
  return [ipaddr.parse(address), bits === undefined ? most : Number(bits)];
}

function isPublic(address: Address): boolean {
  if (address instanceof ipaddr.IPv4) return address.range() === 'unicast';
  if (isWithin(address, NAT64)) return isPublic(new ipaddr.IPv4(address.toByteArray().slice(12)));
  return address.range() === 'unicast' && isWithin(address, GLOBAL_IPV6);
}

function isWithin(address: Address, [network, bits]: Network): boolean {
  return address.kind() === network.kind() && address.match(network as never, bits);
}
