import { OptionError } from '@callsheet/messaging';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const ENTRY = /^(\*|[a-z0-9.-]{1,253})=(\d{1,7})\/([smhd])$/;
/** A key has at most 200 characters. */
const LONGEST = 200;

/** How many mails per time each domain of recipients gets, over all workers. */
export class MailRates {
  /** By domain, `*` for all others: milliseconds from one mail to the next. */
  private readonly gaps = new Map<string, number>();

  /**
   * @param text `example.org=10/s,*=100/m`: domains, without their subdomains, `*` for each other domain; mails per second, minute,
   *   hour or day, at most 1,000 per second. Empty: no limits
   * @throws OptionError for what is none of these, and for a domain that comes twice
   */
  constructor(text = '') {
    for (const entry of text.split(',').map((part) => part.trim().toLowerCase())) {
      if (entry === '') continue;
      const [, domain = '', count = '', unit = 's'] = ENTRY.exec(entry) ?? [];
      const gap = UNITS[unit as keyof typeof UNITS] / Number(count);
      if (domain === '' || !(gap >= 1) || !Number.isFinite(gap) || this.gaps.has(domain)) {
        throw new OptionError(
          'MAIL_RATES',
          `must be domains, each once, with rates of at most 1000/s, such as 'example.org=10/s,*=100/m'; '${entry.slice(0, 100)}' is none`,
        );
      }
      this.gaps.set(domain, Math.ceil(gap));
    }
  }

  /** The least time from one mail to this domain to the next, ms; undefined: no limit. */
  gapOf(domain: string): number | undefined {
    return this.gaps.get(domain) ?? this.gaps.get('*');
  }

  /** Of the domains of a mail that one with the lowest rate, the first of equal ones; undefined when none has a limit. */
  strictest(to: string | readonly string[]): string | undefined {
    let found: { domain: string; gap: number } | undefined;
    for (const address of typeof to === 'string' ? [to] : to) {
      const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
      const gap = this.gapOf(domain);
      if (gap !== undefined && gap > (found?.gap ?? 0)) found = { domain, gap };
    }
    return found?.domain.slice(-LONGEST);
  }
}
