/*
 * planner.h
 *		What vsearch adds to the planner.
 */
#ifndef VS_PLANNER_H
#define VS_PLANNER_H

/* Called once when the library is loaded: sets the planner's hooks. */
extern void vs_planner_init(void);

#endif							/* VS_PLANNER_H */
