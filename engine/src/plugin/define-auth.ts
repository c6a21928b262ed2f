// How a plugin declares a provider of access decisions.
import type { z } from 'zod'
import { AUTH_KEYS, type AuthDefinition, BUILT_IN_AUTH } from './auth-definition.js'
import type { Injections } from './contract.js'
import { checkDeclared, refuse } from './define.js'
import { describeOptions } from './option-meta.js'

type NoInjections = Readonly<Record<never, never>>

/** A provider for the section `auth:`. Throws TypeError if the definition is not complete. */
export function defineAuth<O extends z.ZodType, I extends Injections = NoInjections>(
  definition: Omit<AuthDefinition<O, I>, 'kind'>,
): AuthDefinition<O, I> {
  checkDeclared(definition, AUTH_KEYS)
  const { type, options } = definition
  if ((BUILT_IN_AUTH as readonly string[]).includes(type)) refuse(type, 'is a type that the engine has itself')
  for (const { path, kind, reload } of describeOptions(options)) {
    if (kind !== 'group' && reload !== 'live') refuse(type, `option "${path}" must have reload: 'live'`)
  }
  return { ...definition, kind: 'auth' }
}
