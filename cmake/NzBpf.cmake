# One object per bpf/*.bpf.c with its own dependency file, so that editing one kernel header rebuilds
# only the programs that include it; all are linked into one object and one skeleton, because they
# share per-thread state. Only userspace/loader may include the skeleton.
find_program(NZ_CLANG NAMES clang clang-19 clang-16 clang-15 clang-14 REQUIRED)
find_program(NZ_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)
find_program(NZ_LLVM_STRIP NAMES llvm-strip llvm-strip-14 REQUIRED)

function(nz_bpf_object out)
  set(objects)
  foreach(source ${ARGN})
    get_filename_component(name ${source} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
    # mcpu=v3: 32-bit jumps and atomics with a result (kernel 5.12).
    add_custom_command(
      OUTPUT ${object}
      COMMAND ${NZ_CLANG} -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror -Wno-unused-parameter
              -Wno-sign-compare -D__TARGET_ARCH_x86 -I${CMAKE_SOURCE_DIR}/bpf/include
              -MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
      DEPENDS ${source}
      DEPFILE ${object}.d
      COMMENT "BPF ${name}")
    list(APPEND objects ${object})
  endforeach()
  set(linked ${CMAKE_CURRENT_BINARY_DIR}/nearzero.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/skeleton/nearzero.skel.h)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/skeleton)
  add_custom_command(
    OUTPUT ${skeleton}
    BYPRODUCTS ${linked}
    COMMAND ${NZ_BPFTOOL} gen object ${linked} ${objects}
    COMMAND ${NZ_LLVM_STRIP} -g ${linked}
    COMMAND ${NZ_BPFTOOL} gen skeleton ${linked} name nearzero_bpf > ${skeleton}
    DEPENDS ${objects}
    COMMENT "BPF skeleton")
  add_custom_target(nz_bpf_skeleton DEPENDS ${skeleton})
  set(${out} ${CMAKE_CURRENT_BINARY_DIR}/skeleton PARENT_SCOPE)
endfunction()
