import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject, Observable } from 'rxjs'
import { createClock } from '../../observe/clock.js'
import { createNodeScope } from './node-scope.js'

/** A stream whose only subscriber throws each value. */
function throwing(): Subject<Error> {
  const subject = new Subject<Error>()
  subject.subscribe((error) => {
    throw error
  })
  return subject
}

/** RxJS reports from its own timers. */
async function reported(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0))
  await new Promise((resolve) => setImmediate(resolve))
}

test('an error in a subscriber fails the node whose code ran, the inner one if two are nested', async () => {
  const strays: unknown[] = []
  using scope = createNodeScope((error) => strays.push(error))
  const failed: string[] = []
  const fails = (name: string) => (error: unknown) => failed.push(`${name}: ${(error as Error).message}`)
  const subject = throwing()
  scope.enter(fails('outer'), () => {
    subject.next(new Error('before'))
    scope.enter(fails('inner'), () => subject.next(new Error('inside')))
    subject.next(new Error('behind'))
  })
  await reported()
  assert.deepEqual(failed, ['outer: before', 'inner: inside', 'outer: behind'])
  assert.deepEqual(strays, [])
})

test('an error thrown directly fails the node at once, and ends the scope', async () => {
  const strays: unknown[] = []
  using scope = createNodeScope((error) => strays.push(error))
  const failed: unknown[] = []
  const [thrown, later] = [new Error('thrown'), new Error('later')]
  scope.enter(
    (error) => failed.push(error),
    () => {
      throw thrown
    },
  )
  assert.deepEqual(failed, [thrown])
  throwing().next(later)
  await reported()
  assert.deepEqual([failed, strays], [[thrown], [later]])
})

test('timers of a clock that enters the scope run in it', async () => {
  const strays: unknown[] = []
  using scope = createNodeScope((error) => strays.push(error))
  using clock = createClock()
  const broken = new Error('broken')
  const failed = await new Promise((resolve) => {
    const ofNode = clock.scope((run) => scope.enter(resolve, run))
    ofNode.after(1, () => throwing().next(broken))
  })
  assert.equal(failed, broken)
  assert.deepEqual(strays, [])
})

test('a subscriber without an error handler fails the node in whose code the stream failed', async () => {
  using scope = createNodeScope(() => assert.fail('the error was attributed to no node'))
  const broken = new Error('broken')
  const failed: unknown[] = []
  scope.enter(
    (error) => failed.push(error),
    () => void new Observable((subscriber) => subscriber.error(broken)).subscribe(),
  )
  await reported()
  assert.deepEqual(failed, [broken])
})
