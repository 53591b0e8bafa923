import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { generateSecret, isSigned, parseSecret, sign, signatures } from './webhook.signature.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const BODY = '{"type":"invoice.paid","data":{"name":"Zoë"}}';

describe('sign', () => {
  it('equals the example of the Standard Webhooks specification', () => {
    const signature = sign(
      parseSecret(SECRET, 'secret'),
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1614265330,
      '{"test": 2432232314}',
    );
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('is accepted by an independent verifier, unless body, id or time were changed', () => {
    const key = generateSecret();
    const verifier = new Webhook(`whsec_${key.toString('base64')}`);
    const now = Math.floor(Date.now() / 1_000);
    const headers = {
      'webhook-id': 'm1',
      'webhook-timestamp': String(now),
      'webhook-signature': sign(key, 'm1', now, BODY),
    };
    expect(verifier.verify(BODY, headers)).toEqual(JSON.parse(BODY));
    expect(() => verifier.verify(BODY.replace('paid', 'void'), headers)).toThrow(
      'No matching signature',
    );
    expect(() => verifier.verify(BODY, { ...headers, 'webhook-id': 'm2' })).toThrow(
      'No matching signature',
    );
    expect(() =>
      verifier.verify(BODY, { ...headers, 'webhook-timestamp': String(now - 1) }),
    ).toThrow('No matching signature');
  });
});

describe('isSigned', () => {
  const body = Buffer.from(BODY);
  const [key, other] = [parseSecret(SECRET, 'secret'), generateSecret()];

  it('holds what an independent signer made', () => {
    const at = new Date(1_614_265_330_000);
    const signature = new Webhook(SECRET).sign('m1', at, BODY);
    expect(isSigned([key], signature, 'm1', 1_614_265_330, body)).toBe(true);
    expect(isSigned([other, key], signature, 'm1', 1_614_265_330, body)).toBe(true);
    expect(isSigned([other], signature, 'm1', 1_614_265_330, body)).toBe(false);
    expect(isSigned([], signature, 'm1', 1_614_265_330, body)).toBe(false);
    expect(isSigned([key], signature, 'm2', 1_614_265_330, body)).toBe(false);
    expect(isSigned([key], signature, 'm1', 1_614_265_331, body)).toBe(false);
    expect(isSigned([key], signature, 'm1', 1_614_265_330, Buffer.from(`${BODY} `))).toBe(false);
  });

  it('takes any of several signatures, and those of version 1 alone', () => {
    const [good] = signatures([key], 'm1', 1, BODY).split(' ') as [string];
    const bad = signatures([other], 'm1', 1, BODY);
    expect(isSigned([key], `${bad} v2,xyz ${good}`, 'm1', 1, body)).toBe(true);
    for (const none of [
      '',
      'v1,',
      bad,
      good.replace('v1,', 'v2,'),
      good.slice(3),
      good.slice(0, 20),
    ]) {
      expect(isSigned([key], none, 'm1', 1, body), none).toBe(false);
    }
  });
});
