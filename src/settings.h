/*
 * settings.h
 *		The settings that users may SET.
 */
#ifndef VS_SETTINGS_H
#define VS_SETTINGS_H

/*
 * Define all settings and reserve their prefixes.  Raises an error, with none
 * of them defined, if another module in this process owns one of the names.
 */
extern void vs_settings_define(void);

#endif							/* VS_SETTINGS_H */
