// An auth provider between fakes, for the contract kit.
import assert from 'node:assert/strict'
import type { AuthDefinition, AuthProvider, AuthVerdict } from '../../plugin/auth-definition.js'
import type { AccessRequest } from '../../plugin/auth.js'
import type { Options } from '../../plugin/contract.js'
import { ContractFakes } from '../contract-fakes.js'
import { ReadOptions } from '../read-options.js'
import { whileClockRuns } from '../while-clock-runs.js'
import type { Trial } from './check.js'

const OPENS_WITHIN_MS = 5000
const CLOSES_WITHIN_MS = 1000
/** The engine waits as long for a verdict. */
const DECIDES_WITHIN_MS = 10_000
/** Of the clock, while it waits for a decision. */
const FAST = 20

/** What a client presents by default; `secret` is in each of its secrets. */
export function requestWith(secret: string, more: Partial<AccessRequest> = {}): AccessRequest {
  return {
    ...{ action: 'read', protocol: 'http', stream: 'one', address: '192.0.2.1', path: '/one.ts' },
    ...{ query: `token=${secret}`, user: 'anna', password: secret, token: secret, agent: 'kit' },
    ...more,
  }
}

export class AuthBench implements AsyncDisposable {
  readonly fakes: ContractFakes
  readonly options$: ReadOptions
  readonly #run: <T>(run: () => T) => T
  #provider: AuthProvider | undefined
  #closing: Promise<void> | undefined

  /** Rejects as `open` does, or if that takes too long. */
  static async open(trial: Trial<AuthDefinition>, options?: unknown): Promise<AuthBench> {
    const bench = new AuthBench(trial, options)
    await bench.#open(trial)
    return bench
  }

  private constructor({ definition, settings, watch }: Trial<AuthDefinition>, options: unknown) {
    this.#run = (run) => watch.run(run)
    this.fakes = new ContractFakes(this.#run)
    this.options$ = new ReadOptions(options ?? definition.options.parse(settings.options ?? {}))
  }

  advance(byMs: number): void {
    this.fakes.clock.advance(byMs)
  }

  /** What the provider returns or throws. */
  async ask(request: AccessRequest, signal: AbortSignal = new AbortController().signal): Promise<AuthVerdict> {
    return this.#run(async () => this.#provider!.check(request, signal))
  }

  /** Asks while its clock runs, until the engine would not wait any longer. */
  async verdict(request: AccessRequest): Promise<AuthVerdict> {
    return this.whileClockRuns(this.ask(request))
  }

  whileClockRuns<T>(promise: Promise<T>): Promise<T> {
    return whileClockRuns(this, promise, DECIDES_WITHIN_MS, 'check() did not decide', FAST)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** What it has not given back, when it is closed. */
  get left(): readonly string[] {
    return [...this.fakes.left, ...(this.options$.observed ? ['a subscription to its options'] : [])]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.close()
    } finally {
      await this.fakes[Symbol.asyncDispose]()
    }
    assert.deepEqual(this.fakes.context.failures, [], 'guarded callbacks have failed')
  }

  async #open({ definition, settings: { deps = () => ({}) } }: Trial<AuthDefinition>): Promise<void> {
    const given = { ...this.fakes.of(definition.inject ?? {}), ...deps() } as never
    const opening = this.#run(async () => definition.open(this.options$ as Options<unknown>, this.fakes.context, given))
    this.#provider = await whileClockRuns(this, opening, OPENS_WITHIN_MS, 'it did not open')
  }

  async #close(): Promise<void> {
    this.fakes.context.abort('the test is over')
    for (let count = 0; count < 2; count++) {
      const disposing = this.#run(async () => this.#provider?.[Symbol.asyncDispose]())
      await whileClockRuns(this, disposing, CLOSES_WITHIN_MS, 'it was not disposed')
    }
  }
}
