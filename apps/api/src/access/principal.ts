import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ALL_PERMISSIONS, permits, type Permission, type Role } from './permission.js';
import { isOfUseToTenants } from './route.permissions.js';

/** Who asks. */
export interface Principal {
  /** Stands in the audit log: `api-key:<id>`, `token:<subject>`, `environment` or `local`. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly role: Role;
  /** Of what the role permits only these. Absent: all. */
  readonly permissions?: readonly Permission[];
  /** Sees and sends only what is of this tenant. Absent: of all. */
  readonly tenant?: string;
}

/** Whoever asks on the machine itself, where no credentials are configured. */
export const LOCAL: Principal = { id: 'local', name: 'local', role: 'admin' };

const principals = new WeakMap<FastifyRequest, Principal>();
const admissions = new WeakMap<FastifyRequest, () => Promise<boolean>>();

/**
 * Remembers who makes a request.
 *
 * @param holds looks again whether that may make it
 */
export function setPrincipal(
  request: FastifyRequest,
  principal: Principal,
  holds: () => Promise<boolean>,
): void {
  principals.set(request, principal);
  admissions.set(request, holds);
}

/** What looks again whether somebody may make a request that goes on and on: the key may be revoked meanwhile. Never rejects. */
export function admissionOf(request: FastifyRequest): () => Promise<boolean> {
  return admissions.get(request) ?? (() => Promise.resolve(false));
}

/** Who makes a request; undefined for calls that ask for nobody. */
export function principalOf(request: FastifyRequest): Principal | undefined {
  return principals.get(request);
}

/** A parameter of a handler: who asks. Only for calls that ask for somebody. */
export const Asker: () => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal => {
    const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
    if (!principal) throw new Error('nobody was asked for credentials');
    return principal;
  },
);

/** Whether somebody may do it. */
export function may({ role, permissions }: Principal, permission: Permission): boolean {
  return permits(role, permission) && (permissions?.includes(permission) ?? true);
}

/**
 * All that somebody may do, in the order of {@link ALL_PERMISSIONS}. Of one tenant: only what opens a call to it, whatever its role
 * permits.
 */
export function permissionsOf(principal: Principal): Permission[] {
  return ALL_PERMISSIONS.filter(
    (permission) =>
      may(principal, permission) &&
      (principal.tenant === undefined || isOfUseToTenants(permission)),
  );
}
