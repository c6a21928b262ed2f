import assert from 'node:assert/strict'
import { test } from 'node:test'
import { map, Subject } from 'rxjs'
import { catchConsumers } from './catch-consumers.js'

function watched(): { source: Subject<number>; errors: unknown[] } {
  const errors: unknown[] = []
  return { source: catchConsumers(new Subject<number>(), (error) => errors.push(error)), errors }
}

function fail(text: string): never {
  throw text as unknown as Error
}

test('an error of a consumer is reported in the same call, and the next value still reaches the consumer', () => {
  const { source, errors } = watched()
  source.subscribe((value) => fail(`function ${value}`))
  source.subscribe({ next: (value) => fail(`object ${value}`), complete: () => fail('complete') })
  source.next(1)
  assert.deepEqual(errors.splice(0), ['function 1', 'object 1'])
  source.next(2)
  source.complete()
  assert.deepEqual(errors, ['function 2', 'object 2', 'complete'])
})

test('errors of a consumer behind operators, and unhandled errors of an operator, are reported in the same call', () => {
  const { source, errors } = watched()
  source.pipe(map((value) => value * 2)).subscribe((value) => fail(`consumer ${value}`))
  source.pipe(map((value) => fail(`operator ${value}`))).subscribe()
  const handled: unknown[] = []
  source.pipe(map((value) => fail(`handled ${value}`))).subscribe({ error: (error) => handled.push(error) })
  source.next(1)
  assert.deepEqual([errors, handled], [['consumer 2', 'operator 1'], ['handled 1']])
})

test('consumers and operators work as usual', () => {
  const { source, errors } = watched()
  const got: string[] = []
  const subscription = source.subscribe({
    next(this: { readonly name: string }, value) {
      got.push(`${this.name} ${value}`)
    },
    name: 'own',
  } as { next(value: number): void })
  source.subscribe(undefined)
  source.pipe(map(String)).subscribe({ next: (text) => got.push(text), complete: () => got.push('complete') })
  source.next(1)
  subscription.unsubscribe()
  source.next(2)
  source.complete()
  assert.deepEqual([got, errors, source.observed], [['own 1', '1', '2', 'complete'], [], false])
})
