// Creates the auth providers of plugins, and opens them with what they inject.
import { AuthRunner, type AuthServices, type OpenedAuth } from '../run/auth-runner.js'
import type { ManagedProvider } from '../access/provider.js'
import type { ProviderSettings } from '../graph/graph.js'
import type { EngineClock } from '../observe/clock.js'
import type { AuthDefinition, AuthProvider } from '../plugin/auth-definition.js'
import { CLOCK, EVENTS } from '../plugin/tokens.js'
import type { ServiceContainer } from './service-container.js'
import { ENGINE_CLOCK, ENGINE_EVENTS, EVENT_LOG, LOG, REGISTRY, RUNNING, SCOPE } from './service-keys.js'

export type CreateProvider = (
  definition: AuthDefinition,
  settings: Pick<ProviderSettings, 'name' | 'options'>,
) => ManagedProvider

/** The services are looked up when a provider is created: some of them need access control themselves. */
export function authProviders(container: ServiceContainer): CreateProvider {
  return (definition, settings) => {
    const running = container.get(RUNNING)
    return new AuthRunner(definition, settings, {
      clock: container.get(ENGINE_CLOCK),
      log: container.get(LOG).child({ node: `auth/${settings.name}` }),
      metrics: container.get(REGISTRY),
      events: container.get(EVENT_LOG),
      scope: container.get(SCOPE),
      mask: (text) => running.graph.secrets.mask(text),
      openWith: (...given) => openWith(container, ...given),
    })
  }
}

async function openWith(
  container: ServiceContainer,
  ...[definition, enter, open]: Parameters<AuthServices['openWith']>
): Promise<OpenedAuth> {
  const clock: EngineClock = container.get(ENGINE_CLOCK).scope(enter)
  const end = (): void => clock[Symbol.dispose]()
  try {
    const own = container
      .child()
      .value(CLOCK, clock)
      .service(EVENTS, [ENGINE_EVENTS], (events) => ({
        subscribe: (listen) => events.subscribe((event) => enter(() => listen(event))),
        subscribeClients: (listen) => events.subscribeClients((event) => enter(() => listen(event))),
        recent: () => events.recent(),
      }))
    const provider = (await own.openNode(definition, open)) as AuthProvider
    if (typeof provider.check !== 'function') throw new TypeError(`open of ${definition.type} returned no provider`)
    return { provider, end }
  } catch (error) {
    end()
    throw error
  }
}
