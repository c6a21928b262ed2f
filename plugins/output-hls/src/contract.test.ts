import assert from 'node:assert/strict'
import type { Delivery, Events, HttpRoutes, Listeners } from '@millrace/engine/plugin'
import { contract } from '@millrace/engine/testing'
import hls from './index.js'
import { TestMemory } from './presentation.test.kit.js'

const options = { listener: 'web', path: '/live/index.m3u8', memory: '4MiB', archive: { path: 'hls' } }

const routes: HttpRoutes = {
  name: 'web',
  origins: [],
  listed: () => [],
  mount: () => ({ [Symbol.dispose]: () => undefined }),
}

contract(hls, {
  options,
  live: {
    segment: '1s',
    window: '30s',
    'archive.keep': '1h',
    dvr: '1m',
    independent: true,
    naming: 'system',
    granularity: 100,
    memory: '8MiB',
    path: '/other/index.m3u8',
    clients: { max: 3 },
    cors: '*',
    offline: { gap: '10s' },
  },
  refused: [
    { ...options, path: 'live.m3u8' },
    { ...options, path: '/live/' },
    { ...options, path: '/live/dvr.m3u8', dvr: '1h' },
    { ...options, targetDuration: '2500ms' },
    { ...options, segment: '100ms' },
    { ...options, store: { path: '../hls' } },
    { ...options, store: 'disk' },
  ],
  deps: () => ({
    delivery: {
      open: () => assert.fail('it has no live path'),
      memory: (limitBytes) => new TestMemory(limitBytes),
      window: () => assert.fail('it needs no window'),
    } satisfies Delivery,
    events: {
      subscribe: () => ({ [Symbol.dispose]: () => undefined }),
      subscribeClients: () => assert.fail('it needs no events of viewers'),
      recent: () => [],
    } satisfies Events,
    listeners: { http: () => routes, of: () => assert.fail('it uses no other listener') } satisfies Listeners,
  }),
})
