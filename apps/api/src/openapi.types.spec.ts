import openapiTS, { astToString } from 'openapi-typescript';
import { expect, it } from 'vitest';
import { stageForTest } from '../test/stage.js';

it('is what the console is typed by; `vitest -u` on this file writes it anew', async () => {
  const app = await stageForTest();
  const { body } = await app.inject({ url: '/openapi.json' });
  const types = astToString(await openapiTS(body));
  await expect(types).toMatchFileSnapshot('../../console/src/api/openapi.d.ts');
});
