// The contract kit: tests that every plugin has to pass, a suite for each kind of definition. The author of a plugin runs
// them on its definition.
import { describe, test } from 'node:test'
import type { AnyDefinition, AuthDefinition } from '../plugin/auth-definition.js'
import type { Definition } from '../plugin/contract.js'
import { packageOfCaller } from './callback-watch.js'
import { ContractStreams } from './contract-streams.js'
import { authSuite } from './contract/auth-suite.js'
import { runCheck } from './contract/check.js'
import type { Subject, Suite } from './contract/check.js'
import type { AuthContractSettings, ContractSettings } from './contract/contract-settings.js'
import { inputSuite } from './contract/input-suite.js'
import { listenerSuite } from './contract/listener-suite.js'
import { outputSuite } from './contract/output-suite.js'
import { serviceSuite } from './contract/service-suite.js'
import { transformSuite } from './contract/transform-suite.js'

const NODE_SUITES: Readonly<Record<Definition['kind'], Suite>> = {
  input: inputSuite,
  transform: transformSuite,
  output: outputSuite,
  service: serviceSuite,
  listener: listenerSuite,
}

const PARTS = ['base', 'close', 'stress'] as const
/** What a check waits for ends earlier by itself. */
const TIMEOUT_MS = 60_000

/** Declares the tests of one definition. Call it at the top of a test file. */
export function contract(definition: Definition, settings?: ContractSettings): void
export function contract(definition: AuthDefinition, settings?: AuthContractSettings): void
export function contract(definition: AnyDefinition, settings: ContractSettings = {}): void {
  const folder = packageOfCaller(contract as (...args: unknown[]) => unknown)
  describe(`${definition.kind} ${definition.type} keeps the contract`, () => {
    const shared = { settings, folder, streams: new ContractStreams() }
    if (definition.kind === 'auth') declare(authSuite, { ...shared, definition })
    else declare(NODE_SUITES[definition.kind], { ...shared, definition })
  })
}

function declare<D extends AnyDefinition>(suite: Suite<D>, subject: Subject<D>): void {
  for (const part of PARTS) {
    describe(part, () => {
      for (const check of suite[part]) {
        if (check.applies?.(subject) === false) continue
        test(check.title, { timeout: TIMEOUT_MS }, () => runCheck(check, subject))
      }
    })
  }
}
