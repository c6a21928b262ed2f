// Options with secrets that the kit recognizes wherever they appear.
import type { AnyDefinition } from '../../plugin/auth-definition.js'
import { describeOptions } from '../../plugin/option-meta.js'
import { withValue } from './other-values.js'
import type { YamlOptions } from './other-values.js'

export interface SecretOptions {
  readonly options: YamlOptions
  readonly secrets: readonly string[]
}

/** Undefined if there is no option for a secret, or none that these options can have. */
export function secretOptions(definition: AnyDefinition, given: YamlOptions): SecretOptions | undefined {
  let options = given
  const secrets: string[] = []
  for (const { path, kind } of describeOptions(definition.options)) {
    const secret = `kit-secret-${secrets.length}`
    const value = kind === 'url' ? withPassword(valueAt(options, path), secret) : secret
    const isSecret = kind === 'secret' || kind === 'map of secret' || kind === 'url'
    if (!isSecret || value === undefined || path.includes('[]')) continue
    const keys = kind === 'map of secret' ? [...path.split('.'), 'X-Kit'] : path.replace(/\*$/, 'X-Kit').split('.')
    const changed = withValue(options, keys, value)
    if (!definition.options.safeParse(changed).success) continue
    options = changed
    secrets.push(secret)
  }
  return secrets.length === 0 ? undefined : { options, secrets }
}

function valueAt(options: YamlOptions, path: string): unknown {
  const into = (at: unknown, key: string): unknown => (at as YamlOptions | undefined)?.[key]
  return path.split('.').reduce<unknown>(into, options)
}

/** A URL of the options, with a user; undefined for anything else. */
function withPassword(value: unknown, secret: string): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined
  const url = new URL(value)
  url.username = 'kit'
  url.password = secret
  return url.href
}
