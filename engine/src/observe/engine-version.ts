// The version of this engine, from its package.json.
import { readFileSync } from 'node:fs'

/** The same relative path from dist and from src. */
const PACKAGE_JSON = new URL('../../package.json', import.meta.url)

/** The version in package.json. */
export function readEngineVersion(): string {
  const { version } = JSON.parse(readFileSync(PACKAGE_JSON, 'utf8')) as { version: string }
  return version
}
