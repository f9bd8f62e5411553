// Stopping: the first signal is a wish, the second an order, and npm's copy of a Ctrl-C neither.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Stop } from '../../lib/cli/stop.js';

afterEach(() => {
  vi.restoreAllMocks();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(name);
});

describe('Stop', () => {
  it('asks first and quits at the second signal', () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never);
    const now = vi.spyOn(performance, 'now').mockReturnValue(1000);
    const [first, before] = [vi.fn(), vi.fn()];
    const stop = new Stop(first, before);
    expect(stop.signal.aborted).toBe(false);
    process.emit('SIGINT');
    expect(stop).toMatchObject({ reason: 'SIGINT' });
    expect(stop.signal.aborted).toBe(true);
    expect(first).toHaveBeenCalledExactlyOnceWith('SIGINT');

    now.mockReturnValue(1100);
    process.emit('SIGINT');
    expect(exit).not.toHaveBeenCalled();

    now.mockReturnValue(2000);
    stop.request('EPIPE');
    expect(exit).not.toHaveBeenCalled();
    stop.end();
    process.emit('SIGTERM');
    expect(before).toHaveBeenCalledOnce();
    expect(exit).toHaveBeenCalledExactlyOnceWith(143);
    expect(first).toHaveBeenCalledOnce();
  });

  it('gives the signals back', () => {
    const before = process.listenerCount('SIGINT');
    const stop = new Stop(vi.fn(), vi.fn());
    expect(process.listenerCount('SIGINT')).toBe(before + 1);
    stop.end();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
