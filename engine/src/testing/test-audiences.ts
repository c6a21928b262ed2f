// The audiences of an output in tests: the engine's own, on a clock that the test advances.
import { AudienceLease } from '../audience/audience-lease.js'
import { EngineAudiences } from '../audience/engine-audiences.js'
import type { ClientStatus } from '../observe/status.js'
import type { SessionEnd } from '../observe/viewer-events.js'
import type { Audience, AudienceOptions } from '../plugin/audience.js'
import type { Audiences } from '../plugin/tokens.js'
import { FakeClock } from './fake-clock.js'
import { FakeContext } from './fake-context.js'

export class TestAudiences implements Audiences {
  readonly clock: FakeClock
  /** Sessions that have ended, and viewers that were refused. */
  readonly ends: SessionEnd[] = []
  readonly #context: FakeContext
  readonly #all: EngineAudiences

  constructor(id = 'test/node', clock = new FakeClock()) {
    this.clock = clock
    this.#context = new FakeContext(id)
    this.#all = new EngineAudiences({ clock: this.clock, log: this.#context.log, maxClients: 0 })
    this.#all.watchSessions({ onStart: () => undefined, onEnd: (session) => void this.ends.push(session) })
  }

  open(options: AudienceOptions): Audience {
    const lease = new AudienceLease(options, {
      audiences: this.#all,
      owner: () => this.#context.id,
      enter: (run) => run(),
    })
    lease.open()
    return lease
  }

  viewers(): readonly ClientStatus[] {
    return this.#all.viewers()
  }

  /** As an operator does; false if there is no such viewer. */
  kick(id: string): boolean {
    return this.#all.kick(id) !== undefined
  }
}
