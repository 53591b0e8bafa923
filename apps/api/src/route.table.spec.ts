import { fastify } from 'fastify';
import { expect, it } from 'vitest';
import { RouteTable } from './route.table.js';

it('knows the methods of a path', () => {
  const server = fastify();
  const table = new RouteTable(server);
  server.get('/a/:id', async () => '');
  server.put('/a/:id', async () => '');
  server.post('/a::batch', async () => '');
  server.get('/files/*', async () => '');
  expect(
    ['/a/1', '/a/', '/a/1/2', '/a', '/a:batch', '/a::batch', '/files/x/y', '/files/', '/files'].map(
      (path) => table.methods(path),
    ),
  ).toEqual([
    ['GET', 'HEAD', 'PUT'],
    [],
    [],
    [],
    ['POST'],
    [],
    ['GET', 'HEAD'],
    ['GET', 'HEAD'],
    [],
  ]);
});
