import { setTimeout } from 'node:timers/promises'
import type { AuthProvider, AuthVerdict } from '../../plugin/auth-definition.js'
import type { AccessRequest } from '../../plugin/auth.js'
import { defineAuth } from '../../plugin/define-auth.js'
import { auth, nothing, testBreaks } from './broken.test.kit.js'
import * as checks from './auth-checks.js'

const {
  decides,
  keepsSecrets,
  takesLiveOptions,
  readsMetrics,
  leavesNoTrace,
  endsWhileAsked,
  answersLate,
  takesOddClients,
  takesMany,
  outlivesHanging,
} = checks
const yes: AuthVerdict = { allowed: true }
const never = async (): Promise<never> => new Promise(() => undefined)

function checking(check: AuthProvider['check'], close = nothing) {
  return defineAuth({ ...auth, open: () => ({ check, [Symbol.asyncDispose]: close }) })
}

testBreaks(checks, [
  {
    check: decides,
    name: 'a provider that answers true',
    definition: checking(() => true as never),
    message: /true is no verdict: \{ allowed: true or false \}/,
  },
  {
    check: decides,
    name: 'a provider with a reason of its own',
    definition: checking(() => ({ allowed: false, reason: 'too-late' as 'denied' })),
    message: /its reason is none of no-credentials, bad-credentials/,
  },
  {
    check: keepsSecrets,
    name: 'a provider that logs requests',
    definition: defineAuth({
      ...auth,
      open: (_options$, { log }) => ({
        check(request) {
          log.debug({ request }, 'asked')
          return yes
        },
        [Symbol.asyncDispose]: nothing,
      }),
    }),
    message: /a secret of a client is in its log/,
  },
  {
    check: takesLiveOptions,
    name: 'a provider that copies its options when it opens',
    definition: checking(() => yes),
    message: /after open\(\) it never looks at options\$ again, so weight does not apply/,
  },
  {
    check: readsMetrics,
    name: 'a metric that is not connected',
    definition: checking(() => yes),
    message: /metric sound_checks_total is declared, but not connected/,
  },
  {
    check: leavesNoTrace,
    name: 'a timer for each client',
    definition: checking(() => {
      setInterval(() => undefined, 1000)
      return yes
    }),
    message: /after it was closed, it has left[^]*a timer \(.*auth-checks\.test\.js/,
  },
  {
    check: endsWhileAsked,
    name: 'a provider that forgets clients who wait when it ends',
    definition: checking(never),
    message: /check\(\) did not decide within 10 s/,
  },
  {
    check: endsWhileAsked,
    name: 'a provider that waits for its upstream when it is to stop',
    definition: checking(() => yes, never),
    message: /it was not disposed within 1 s/,
  },
  {
    check: answersLate,
    name: 'a provider that does not answer after its end',
    definition: ending(),
    message: /check\(\) did not decide within 10 s/,
  },
  {
    check: takesOddClients,
    name: 'a provider that parses what clients send',
    definition: checking(({ query = '' }: AccessRequest) => {
      decodeURIComponent(query.includes('&&') ? '%' : '')
      return yes
    }),
    message: /URI malformed/,
  },
  {
    check: takesMany,
    name: 'a provider that keeps what it has seen of every client',
    definition: remembering(),
    message: /after 4096 clients it keeps \d+ MiB/,
  },
  {
    check: takesMany,
    name: 'a provider with timers of its own',
    definition: checking(async () => {
      await setTimeout(1)
      return yes
    }),
    folder: import.meta.dirname,
    message: /it sets timers of Node/,
  },
  {
    check: outlivesHanging,
    name: 'a provider without a time limit',
    definition: checking(never),
    settings: { hanging: {} },
    message: /check\(\) did not decide within 10 s/,
  },
])

function ending() {
  let isOver = false
  return checking(
    () => (isOver ? never() : yes),
    async () => void (isOver = true),
  )
}

function remembering() {
  const seen: Uint8Array[] = []
  return checking(() => {
    seen.push(new Uint8Array(10_000))
    return yes
  })
}
