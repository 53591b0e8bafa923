import { ForbiddenException, UnauthorizedException } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices/exceptions/rpc-exception.js';

const denials = new WeakSet<object>();

/**
 * Whether a guard denied the message: it answered false, or threw Forbidden-, Unauthorized- or RpcException. Such a message is
 * never tried again. The same exceptions out of a handler are failures like any other.
 */
export function isGuardDenial(error: unknown): boolean {
  return typeof error === 'object' && error !== null && denials.has(error);
}

/** Remembers an error of a guard, if it is a denial. Any other error of a guard (its database is away) may be retried. */
export function markDenial(error: unknown): void {
  if (
    error instanceof ForbiddenException ||
    error instanceof UnauthorizedException ||
    error instanceof RpcException
  ) {
    denials.add(error);
  }
}

/** A denial that an exception filter has put in other words is still one. */
export function carryDenial(from: unknown, to: unknown): void {
  if (isGuardDenial(from) && typeof to === 'object' && to !== null) denials.add(to);
}
