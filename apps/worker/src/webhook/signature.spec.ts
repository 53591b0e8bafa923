import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { generateSecret, parseSecret, sign } from './signature.js';

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
