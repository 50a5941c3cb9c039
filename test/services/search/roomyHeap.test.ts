import { setFlagsFromString } from 'node:v8';
import { withRoomyHeap } from '../../../src/services/search/roomyHeap';

jest.mock('node:v8', () => ({ setFlagsFromString: jest.fn() }));

test('the heap is roomy from the first piece of work to the end of the last, also when one fails', async () => {
  const told = jest.mocked(setFlagsFromString).mock.calls;
  let end = (): void => undefined;
  const long = withRoomyHeap(() => new Promise<void>((resolve) => (end = resolve)));
  await expect(withRoomyHeap(() => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  expect(told.map(([flag]) => flag)).toEqual(['--heap-growing-percent=300']);
  end();
  await long;
  expect(told.map(([flag]) => flag)).toEqual(['--heap-growing-percent=300', '--heap-growing-percent=0']);
});
