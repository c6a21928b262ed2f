import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccessDecision, RefusedAccess } from '../../plugin/auth.js'
import type { PublisherRefusal } from '../../plugin/publisher.js'
import { ScriptedPublisher } from '../../testing/scripted-publishers.js'
import { accessOfPublisher } from './publish-access.js'

const CODES: readonly (readonly [reason: RefusedAccess, code: PublisherRefusal])[] = [
  ['no-credentials', 'unauthorized'],
  ['expired', 'unauthorized'],
  ['denied', 'forbidden'],
  ['address', 'forbidden'],
  ['busy', 'overloaded'],
  ['too-many-failures', 'overloaded'],
  ['failed', 'failed'],
]

test('a publisher is refused for what its auth provider says, and never as if its key were in use', async () => {
  for (const [reason, code] of CODES) {
    const decision: AccessDecision = { allowed: false, reason, status: 403, headers: {} }
    const refused = await accessOfPublisher({ check: () => decision }, ['any'], new ScriptedPublisher('cam'))
    assert.equal('code' in refused && refused.code, code, reason)
  }
})
