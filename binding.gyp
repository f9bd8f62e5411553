# The build that prebuilt binaries come from (npm run build:gyp, npm run prebuilds); the everyday one is CMakeLists.txt.
{
  "target_defaults": {
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20", "-fno-strict-aliasing"],
    "cflags!": ["-fno-strict-aliasing"],
    "cflags_cc": ["<!@(node native/config.js cflags)"],
    "defines": ["<!@(node native/config.js defines)"],
    "include_dirs": ["<!@(node native/config.js includes)"],
  },
  "conditions": [
    ["target_arch=='x64'", {
      "variables": {"kernels": ["kernels-baseline", "kernels-avx2", "kernels-avx512"]},
      "targets": [
        {
          "target_name": "kernels-avx2",
          "type": "static_library",
          "sources": ["<!@(node native/config.js kernels)"],
          "cflags_cc": ["<!@(node native/config.js flags avx2)"],
          "defines": ["CHAINRULE_CAPABILITY=avx2"],
        },
        {
          "target_name": "kernels-avx512",
          "type": "static_library",
          "sources": ["<!@(node native/config.js kernels)"],
          "cflags_cc": ["<!@(node native/config.js flags avx512)"],
          "defines": ["CHAINRULE_CAPABILITY=avx512"],
        },
      ],
    }],
    ["target_arch=='arm64'", {
      "variables": {"kernels": ["kernels-neon"]},
      "targets": [
        {
          "target_name": "kernels-neon",
          "type": "static_library",
          "sources": ["<!@(node native/config.js kernels)"],
          "defines": ["CHAINRULE_CAPABILITY=neon"],
        },
      ],
    }, {
      "targets": [
        {
          "target_name": "kernels-baseline",
          "type": "static_library",
          "sources": ["<!@(node native/config.js kernels)"],
          "cflags_cc": ["<!@(node native/config.js flags baseline)"],
          "defines": ["CHAINRULE_CAPABILITY=baseline"],
        },
      ],
    }],
    ["target_arch not in ('x64', 'arm64')", {
      "variables": {"kernels": ["kernels-baseline"]},
    }],
  ],
  "targets": [
    {
      "target_name": "chainrule",
      "sources": ["<!@(node native/config.js sources)"],
      "dependencies": ["<@(kernels)"],
      "libraries": ["<!@(node native/config.js libraries)"],
      "ldflags": [
        "<!@(node native/config.js ldflags)",
        "<!@(node native/config.js addon_ldflags)",
        "-static-libstdc++",
      ],
    },
  ],
}
