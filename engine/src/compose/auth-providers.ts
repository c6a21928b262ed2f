// Creates the auth providers of plugins, and opens them with what they inject.
import { AuthRunner, type AuthServices, type OpenedAuth } from '../run/auth-runner.js'
import type { ManagedProvider } from '../access/provider.js'
import type { ProviderSettings } from '../graph/graph.js'
import type { EngineClock } from '../observe/clock.js'
import type { AuthDefinition, AuthProvider } from '../plugin/auth-definition.js'
import { CLOCK, EVENTS, LISTENERS } from '../plugin/tokens.js'
import { NodeEndpoints } from '../run/node/node-endpoints.js'
import type { ServiceContainer } from './service-container.js'
import { ENGINE_CLOCK, ENGINE_EVENTS, EVENT_LOG, LOG, REGISTRY, RUNNING, SCOPE, SHARED } from './service-keys.js'

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
      metrics: container.get(REGISTRY),
      events: container.get(EVENT_LOG),
      scope: container.get(SCOPE),
      logOf: (id) => container.get(LOG).child({ node: id }),
      mask: (text) => running.graph.secrets.mask(text),
      openWith: (...given) => openWith(container, ...given),
    })
  }
}

async function openWith(
  container: ServiceContainer,
  ...[definition, calls, open]: Parameters<AuthServices['openWith']>
): Promise<OpenedAuth> {
  const enter = (run: () => void): void => calls.enter(run)
  const clock: EngineClock = container.get(ENGINE_CLOCK).scope(enter)
  let endpoints: NodeEndpoints | undefined
  const end = (): void => {
    clock[Symbol.dispose]()
    endpoints?.release()
  }
  try {
    const own = container
      .child()
      .value(CLOCK, clock)
      .service(LISTENERS, [SHARED], (shared) => {
        endpoints = new NodeEndpoints({ ...shared, ...calls, isStandby: false, owner: () => calls.id() })
        return endpoints.forOpening().listeners
      })
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
