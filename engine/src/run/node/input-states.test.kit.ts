// For the tests of the states of inputs: a runner on a clock that the test moves, with a scripted source.
import type { Boundary, Definition, NodeContext } from '../../plugin/contract.js'
import { bytesInputOf, RunnerFixture, ScriptedSource, settings } from '../run.test.kit.js'
import { InputRunner } from './input-runner.js'

export type Item = Uint8Array | Boundary

export class Harness<P = Item> implements AsyncDisposable {
  readonly fixture = new RunnerFixture()
  readonly source: ScriptedSource<P>
  readonly input: InputRunner
  #context: NodeContext | undefined

  constructor(
    source: ScriptedSource<P>,
    definitionOf: (open: (context: NodeContext) => ScriptedSource<P>) => Definition,
  ) {
    this.source = source
    const definition = definitionOf((context) => {
      this.#context = context
      return source
    })
    const { services } = this.fixture
    this.input = new InputRunner(settings('one/main', definition), services)
  }

  get context(): NodeContext {
    return this.#context!
  }

  get state(): string {
    const { state, why } = this.input
    return why === '' ? state : `${state}: ${why}`
  }

  get events(): string[] {
    // What the machine does meanwhile is another matter.
    return this.fixture.events.recent().flatMap(({ kind }) => (kind === 'node.stalled' ? [] : [kind]))
  }

  /** Time passes, with the engine's samples of each second. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.fixture.clock.advance(1000)
      this.input.sample()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.input.stop('test')
    this.fixture[Symbol.dispose]()
  }
}

/** A started input of bytes, whose connection is up. */
export async function connected(canHold = false): Promise<Harness> {
  const harness = new Harness(new ScriptedSource<Item>({ canHold }), bytesInputOf)
  await harness.input.start()
  harness.context.ready()
  return harness
}
