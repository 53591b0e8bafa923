import { describe, expect, it } from 'vitest';
import { MailRates } from './mail.rates.js';

describe('rates of mail', () => {
  it('are the time between mails, of a domain or of each other one', () => {
    const rates = new MailRates('example.org=10/s, Slow.example=7/m,*=100/h,day.example=2/d');
    expect(rates.gapOf('example.org')).toBe(100);
    expect(rates.gapOf('slow.example')).toBe(8_572);
    expect(rates.gapOf('day.example')).toBe(43_200_000);
    expect(rates.gapOf('sub.example.org')).toBe(36_000);
  });

  it('are none unless they are given', () => {
    expect(new MailRates().strictest('ada@example.org')).toBeUndefined();
    expect(new MailRates('example.net=1/s').strictest('ada@example.org')).toBeUndefined();
  });

  it('of a mail to several domains are the lowest', () => {
    const rates = new MailRates('fast.example=10/s,slow.example=1/s,same.example=1/s');
    const to = ['a@free.example', 'b@fast.example', 'c@SLOW.example', 'd@same.example'];
    expect(rates.strictest(to)).toBe('slow.example');
    expect(rates.strictest(to.slice(0, 2))).toBe('fast.example');
    expect(rates.strictest(to.slice(0, 1))).toBeUndefined();
  });

  it('are of the end of a domain that is too long for a key', () => {
    const domain = `${'a'.repeat(60)}.`.repeat(4) + 'example';
    expect(new MailRates('*=1/s').strictest(`a@${domain}`)).toBe(domain.slice(-200));
  });
});
