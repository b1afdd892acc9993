package main

import "io"

// configSite answers for autoconf's scripts what they find out by running a program: they cannot
// when they cross-compile, and take a machine that they do not know for a poor one. Some then
// want replacements of malloc that a program does not have, and GNU's do not compile where the
// direction of the stack is unknown. testdata/script/site.txtar runs the programs.
const configSite = `# For CONFIG_SITE=... ./configure --host=` + machine + `
case $host_alias in
` + machine + `)
	ac_cv_c_bigendian=no
	ac_cv_c_stack_direction=-1
	sv_cv_stack_direction=-1
	sv_cv_stack_direction_msg='grows down'
	ac_cv_func_malloc_0_nonnull=yes
	ac_cv_func_calloc_0_nonnull=yes
	ac_cv_func_realloc_0_nonnull=yes
	ac_cv_func_memcmp_working=yes
	ac_cv_func_strnlen_working=yes
	ac_cv_func_stat_empty_string_bug=no
	ac_cv_func_lstat_dereferences_slashed_symlink=yes
	ac_cv_func_chown_works=yes
	ac_cv_func_fork_works=no
	ac_cv_func_vfork_works=no
	ax_cv_c_float_words_bigendian=no
	;;
esac
`

func (d *driver) configSite() error {
	_, err := io.WriteString(d.stdout, configSite)
	return err
}
