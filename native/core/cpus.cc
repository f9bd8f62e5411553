// available_cpus(): the CPUs this process may really use, by its affinity mask and the quota of its cgroups.
#include <fstream>
#include <string>
#include <thread>

#include "core/parallel.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace chainrule {
namespace {

#if defined(__linux__)

int cpus_by_affinity() {
  // 8,192 CPUs: the largest mask a Linux kernel is built with.
  unsigned long mask[8192 / (8 * sizeof(unsigned long))] = {};
  if (sched_getaffinity(0, sizeof mask, reinterpret_cast<cpu_set_t*>(mask)) != 0) return 0;
  int count = 0;
  for (unsigned long word : mask) count += __builtin_popcountl(word);
  return count;
}

// Whole CPUs in a quota: more threads than that are stopped for the rest of each period, all at once.
int whole_cpus(double quota, double period) {
  if (quota <= 0 || period <= 0) return 0;
  const double cpus = quota / period;
  return cpus < 1 ? 1 : cpus > 8192 ? 8192 : static_cast<int>(cpus);
}

int quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period ? whole_cpus(quota, period) : 0;  // "max 100000" fails to parse: no limit
}

int quota_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quota_file >> quota && period_file >> period ? whole_cpus(quota, period) : 0;
}

int smaller_limit(int a, int b) { return a == 0 ? b : b == 0 || a < b ? a : b; }

// The smallest quota from this group up to the root of the hierarchy; inside a container the path may not exist there,
// and its own group is then the root.
int quota_upwards(const std::string& root, std::string path, int (*quota)(const std::string&)) {
  int limit = quota(root);
  while (path.size() > 1) {
    limit = smaller_limit(limit, quota(root + path));
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  return limit;
}

int cpus_by_cgroup() {
  int limit = 0;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // hierarchy:controllers:path
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers = line.substr(first, second - first);  // ":" alone for cgroup v2, else ":cpu,cpuacct"
    controllers[0] = ',';
    controllers.push_back(',');
    const std::string path = line.substr(second + 1);
    if (controllers == ",,") limit = smaller_limit(limit, quota_upwards("/sys/fs/cgroup", path, quota_v2));
    if (controllers.find(",cpu,") != std::string::npos) {
      limit = smaller_limit(limit, quota_upwards("/sys/fs/cgroup/cpu", path, quota_v1));
    }
  }
  return limit;
}

int count_cpus() { return smaller_limit(cpus_by_affinity(), cpus_by_cgroup()); }

#else

int count_cpus() { return 0; }

#endif

}  // namespace

int available_cpus() {
  static const int counted = count_cpus();
  if (counted > 0) return counted;
  const unsigned hardware = std::thread::hardware_concurrency();
  return hardware > 0 ? static_cast<int>(hardware) : 1;
}

}  // namespace chainrule
