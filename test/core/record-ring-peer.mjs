// A process for mapped-record-ring.test.ts, killed sooner or later: pushes numbered records, or reads them.
import { tsImport } from 'tsx/esm/api'

const { RecordRing } = await tsImport('../../core/index.ts', import.meta.url)
const { MappedMemory } = await tsImport('../../core/node-index.ts', import.meta.url)
const [path, role, numberText, progressText] = process.argv.slice(2)
const number = Number(numberText)
const progress = Number(progressText)
const memory = MappedMemory.open(path)
const ring = RecordRing.attach(memory)

// A record is the number of its sink and its own number, in four bytes each, and so many bytes like its own number.
function recordOf(n) {
  const bytes = new Uint8Array(8 + ((n * 29) % (ring.recordBytesMax - 8))).fill(n)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, number, true)
  view.setUint32(4, n, true)
  return bytes
}

function push() {
  const sink = ring.sink({ spins: 100 })
  process.send('ready')
  for (let n = 0; ; ) {
    if (n % 3 === 0) {
      const record = recordOf(n++)
      sink.claim(ring.recordBytesMax)
      sink.put(record)
      sink.commit(record.length)
    } else if (n % 3 === 1) sink.push(recordOf(n++))
    else sink.pushBatch([recordOf(n++), recordOf(n++), recordOf(n++), recordOf(n++)])
    memory.store(progress, n)
  }
}

function read() {
  const source = ring.source({ spins: 100 })
  process.send('ready')
  const before = memory.load(progress)
  for (let expected; ; ) {
    const record = source.pop()
    if (record === undefined) break
    const view = new DataView(record.buffer, record.byteOffset)
    const n = view.getUint32(4, true)
    if (!record.subarray(8).every((byte) => byte === (n & 0xff))) throw new Error(`record ${n} is torn: ${record}`)
    // The one before may have consumed one more than it could say.
    if (expected === undefined ? n !== before && n !== before + 1 : n !== expected) {
      throw new Error(`record ${n} came, ${before} were read by others, and ${expected} is next`)
    }
    expected = n + 1
    memory.store(progress, expected)
  }
  process.send(source.end())
}

try {
  if (role === 'push') push()
  else read()
} catch (error) {
  process.send({ error: String(error) })
}
