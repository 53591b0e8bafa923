import { toMilliseconds, type Duration } from '@callsheet/messaging';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '../openapi.decorators.js';
import { ApiOnce } from '../idempotency.key.js';
import { ref } from '../schema.registry.js';
import { ApiKeys } from './api.keys.js';
import {
  apiKeyCreation,
  apiKeyList,
  apiKeyRotation,
  apiKeyView,
  me,
  newApiKeyView,
  toApiKeyOptions,
  toApiKeyView,
  type ApiKeyCreation,
  type ApiKeyList,
  type ApiKeyRotation,
  type ApiKeyView,
  type Me,
  type NewApiKeyView,
} from './api.key.view.js';
import { Asker, permissionsOf, type Principal } from './principal.js';

const SECRET =
  'not taken: the answer has a secret that is kept nowhere; when it was lost, rotate the key at once, or revoke it';

/** Makes, shows, rotates and revokes the keys that clients present. */
@ApiTags('access')
@Controller('v1')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeys) {}

  @Get('me')
  @ApiOperation({ operationId: 'getMe', summary: 'Who asks, and what that may do' })
  @ApiOkResponse({ description: 'who asks', standardSchema: me })
  whoAsks(@Asker() principal: Principal): Me {
    const { id, name, role, tenant } = principal;
    return { id, name, role, permissions: permissionsOf(principal), tenant };
  }

  @Get('api-keys')
  @ApiOperation({ operationId: 'listApiKeys', summary: 'All API keys that were not revoked' })
  @ApiOkResponse({ description: 'by id, without their secrets', standardSchema: apiKeyList })
  async list(): Promise<ApiKeyList> {
    return { items: (await this.keys.list()).map(toApiKeyView) };
  }

  @Get('api-keys/:id')
  @ApiOperation({ operationId: 'getApiKey', summary: 'An API key' })
  @ApiOkResponse({ description: 'the key, without its secret', standardSchema: apiKeyView })
  async get(@Param('id') id: string): Promise<ApiKeyView> {
    return toApiKeyView(await this.keys.get(id));
  }

  @Post('api-keys')
  @ApiOperation({
    operationId: 'createApiKey',
    summary: 'Make an API key, which may no more than who makes it',
  })
  @ApiOnce(SECRET)
  @ApiCreatedResponse({
    description: 'made; the key is in the answer, and cannot be had again',
    standardSchema: newApiKeyView,
    headers: { Location: { description: 'the key', schema: { type: 'string' } } },
  })
  async create(
    @Body({ schema: apiKeyCreation }) body: ApiKeyCreation,
    @Asker() by: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewApiKeyView> {
    const { key, record } = await this.keys.create(toApiKeyOptions(body), by);
    void reply.header('location', `/v1/api-keys/${record.id}`);
    return { ...toApiKeyView(record), key };
  }

  @Post('api-keys/:id/rotate')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'rotateApiKey',
    summary: 'Give an API key another secret; the one of before holds a while longer',
  })
  @ApiOnce(SECRET)
  @ApiBody({ required: false, schema: ref('ApiKeyRotation') })
  @ApiOkResponse({
    description: 'rotated; the new key is in the answer',
    standardSchema: newApiKeyView,
  })
  async rotate(
    @Param('id') id: string,
    @Body({ schema: apiKeyRotation }) body: ApiKeyRotation,
    @Asker() by: Principal,
  ): Promise<NewApiKeyView> {
    const overlap = toMilliseconds((body?.overlap ?? '1h') as Duration, 'overlap');
    const { key, record } = await this.keys.rotate(id, overlap, by);
    return { ...toApiKeyView(record), key };
  }

  @Delete('api-keys/:id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'revokeApiKey',
    summary: 'Revoke an API key; within a second no process takes it any more',
  })
  @ApiNoContentResponse({ description: 'revoked' })
  async revoke(@Param('id') id: string, @Asker() by: Principal): Promise<void> {
    await this.keys.revoke(id, by);
  }
}
