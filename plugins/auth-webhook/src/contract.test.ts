import { after } from 'node:test'
import { contract, HangingServer } from '@millrace/engine/testing'
import { Hook } from './hook.test.kit.js'
import webhook from './index.js'

const hook = await Hook.open()
const hanging = await HangingServer.open()
after(async () => {
  await hook[Symbol.asyncDispose]()
  await hanging[Symbol.asyncDispose]()
})

contract(webhook, { options: { url: hook.url }, hanging: { url: `http://${hanging.address}/` } })
