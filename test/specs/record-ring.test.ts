import { structureOf, testStructure } from './structure.ts'

testStructure(await structureOf('record-ring'))
