import { describe, expect, it } from 'vitest';
import { decrypt } from './push.peer.js';

// The example of RFC 8291, section 5 and appendix A.
const BODY =
  'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN';
const [KEY, AUTH] = ['q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'BTBZMqHH6r4Tts7J_aSIgg'].map(
  (text) => Buffer.from(text, 'base64url'),
) as [Buffer, Buffer];

describe('the device behind the push service', () => {
  it('reads the example of the standard', () => {
    const text = decrypt(Buffer.from(BODY, 'base64url'), KEY, AUTH).toString();
    expect(text).toBe('When I grow up, I want to be a watermelon');
  });

  it('reads nothing that was changed, or is for another device', () => {
    const body = Buffer.from(BODY, 'base64url');
    const changed = Buffer.from(body);
    changed[100] = changed[100]! ^ 1;
    expect(() => decrypt(changed, KEY, AUTH)).toThrow('unable to authenticate data');
    expect(() => decrypt(body, KEY, Buffer.alloc(16))).toThrow('unable to authenticate data');
    expect(() => decrypt(body, Buffer.alloc(32, 1), AUTH)).toThrow('unable to authenticate data');
  });
});
